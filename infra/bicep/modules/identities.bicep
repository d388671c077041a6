import { texts } from 'types.bicep'

metadata description = 'Who acts: the app, and whoever migrates the database on its behalf.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the identity that the app runs as.')
param appIdentityName string

@description('Name of the identity that owns the database schema.')
param migrationIdentityName string

@description('GitHub repository (owner/name) whose workflow may act as the migration identity; empty for none.')
param githubRepository string

@description('GitHub environment that the workflow must run in.')
param githubEnvironment string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: appIdentityName
  location: location
  tags: tags
}

resource migration 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: migrationIdentityName
  location: location
  tags: tags
}

// A token that GitHub signs for this repository and environment is the login: there is no secret to keep or to rotate.
resource github 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = if (!empty(githubRepository)) {
  parent: migration
  name: 'github-${githubEnvironment}'
  properties: {
    issuer: 'https://token.actions.githubusercontent.com'
    subject: 'repo:${githubRepository}:environment:${githubEnvironment}'
    audiences: ['api://AzureADTokenExchange']
  }
}

@description('An identity, as others need to name it.')
@export()
type identity = {
  @description('Resource id.')
  id: string

  @description('Name, which is also its role in PostgreSQL.')
  name: string

  @description('Object id in Entra.')
  principalId: string

  @description('Client id, by which code asks for its tokens.')
  clientId: string
}

@description('The identity that the app runs as.')
output app identity = {
  id: app.id
  name: app.name
  principalId: app.properties.principalId
  clientId: app.properties.clientId
}

@description('The identity that owns the database schema.')
output migration identity = {
  id: migration.id
  name: migration.name
  principalId: migration.properties.principalId
  clientId: migration.properties.clientId
}
