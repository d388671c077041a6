import { texts } from 'types.bicep'
import { identity } from 'identities.bicep'

metadata description = 'The app: .NET 10 isolated worker on Flex Consumption, as one identity, with no secret among its settings.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the plan.')
param planName string

@description('Name of the function app.')
param appName string

@description('Identity that the app runs as.')
param appIdentity identity

@description('Identity that the package is read and written as.')
param packageIdentity identity

@description('Whether everything leaves through the private network; else only what is for private addresses.')
param private bool

@description('Subnet that the app leaves through.')
param subnetId string

@description('Whether requests come through Front Door only.')
param fronted bool

@description('Id of that Front Door; empty when there is none.')
param frontDoorId string

@description('How far the app scales.')
param scale scaleLimits

@description('Address of the container of packages.')
param packageContainerUrl string

@description('Settings of the app beyond those that the platform itself needs.')
param settings texts

@description('Name of the storage account of the Functions host.')
param storageAccountName string

@description('Address that telemetry is sent to.')
param insightsConnectionString string

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

@description('Limits of scaling.')
@export()
type scaleLimits = {
  @description('Memory of an instance; compute goes with it (512: a quarter of a core, 2048: one, 4096: two).')
  instanceMemoryMb: 512 | 2048 | 4096

  @description('Most instances; it caps the bill and the connections to PostgreSQL.')
  @minValue(1)
  @maxValue(1000)
  maximumInstances: int

  @description('Instances that always serve HTTP.')
  @minValue(0)
  alwaysReadyHttp: int

  @description('Instances that always run orchestrations and activities.')
  @minValue(0)
  alwaysReadyDurable: int

  @description('Requests that one instance takes at a time before another is added; streams that stay open count.')
  @minValue(1)
  @maxValue(1000)
  httpPerInstance: int

  @description('Instances are spread over the zones of the region.')
  zoneRedundant: bool
}

@description('Function groups that are kept warm.')
var alwaysReady = filter(
  [
    { name: 'http', instanceCount: scale.alwaysReadyHttp }
    { name: 'durable', instanceCount: scale.alwaysReadyDurable }
  ],
  group => group.instanceCount > 0
)

@description('Settings that the platform needs.')
var platformSettings = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${appIdentity.clientId};Authorization=AAD'
  AZURE_CLIENT_ID: appIdentity.clientId
  // The app leads from its root to the console itself.
  AzureWebJobsDisableHomepage: 'true'
  AzureWebJobsStorage__accountName: storageAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: appIdentity.clientId
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: scale.zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: appName
  location: location
  // By the first tag azd finds the service that azure.yaml calls api.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${appIdentity.id}': {}, '${packageIdentity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: appIdentity.id
    virtualNetworkSubnetId: subnetId
    outboundVnetRouting: { allTraffic: private }
    // Flex Consumption refuses most of what other plans know (ftpsState and remoteDebuggingEnabled among it) with error
    // 51021; a test keeps this list to what it takes. It has no FTP to turn off.
    siteConfig: union(
      {
        minTlsVersion: '1.2'
        scmMinTlsVersion: '1.2'
        http20Enabled: true
      },
      !fronted
        ? {}
        : {
            ipSecurityRestrictionsDefaultAction: 'Deny'
            ipSecurityRestrictions: [
              {
                name: 'front-door'
                priority: 100
                action: 'Allow'
                tag: 'ServiceTag'
                ipAddress: 'AzureFrontDoor.Backend'
                // The addresses are those of every Front Door; the header is only ours.
                headers: { 'x-azure-fdid': [frontDoorId] }
              }
            ]
            // Whoever deploys signs in, and does not come through Front Door.
            scmIpSecurityRestrictionsUseMain: false
            scmIpSecurityRestrictionsDefaultAction: 'Allow'
          }
    )
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: packageIdentity.id
          }
        }
      }
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      // The default, Recreate, ends by force whatever runs:
      // https://learn.microsoft.com/azure/azure-functions/flex-consumption-site-updates
      // The compiler's types lack it; the platform takes it since API version 2023-12-01, says the same page.
      #disable-next-line BCP037
      siteUpdateStrategy: { type: 'RollingUpdate' }
      scaleAndConcurrency: {
        instanceMemoryMB: scale.instanceMemoryMb
        maximumInstanceCount: scale.maximumInstances
        alwaysReady: alwaysReady
        triggers: { http: { perInstanceConcurrency: scale.httpPerInstance } }
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(platformSettings, settings)
  }
}

// Passwords for deployment are refused: whoever deploys signs in.
resource scmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

#disable-next-line use-recent-api-versions
resource appDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

#disable-next-line use-recent-api-versions
resource planDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: plan
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Name of the app.')
output appName string = app.name

@description('Name that the app is reached by.')
output host string = app.properties.defaultHostName
