import { texts } from 'types.bicep'

metadata description = 'Registry of the image that migrates a private database; whoever deploys pushes it and lends the container a token.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the registry, letters and digits.')
@minLength(5)
@maxLength(50)
param registryName string

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

// Public by name, since builds push from outside; Entra asks who they are, and nothing secret is in the image.
resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: registryName
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
  }
}

#disable-next-line use-recent-api-versions
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: registry
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Name of the registry.')
output registryName string = registry.name
